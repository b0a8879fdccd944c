// SPDX-License-Identifier: Apache-2.0
module places {
    requires dev.millrace.io;
}
