// SPDX-License-Identifier: Apache-2.0
/** The command line: {@link dev.millrace.server.Main} with its commands {@code get}, {@code doctor} and {@code bench}. */
package dev.millrace.server;
