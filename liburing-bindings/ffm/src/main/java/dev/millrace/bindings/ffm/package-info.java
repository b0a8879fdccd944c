// SPDX-License-Identifier: Apache-2.0
/** The way across by Panama's foreign function and memory API (JDK 22+). */
package dev.millrace.bindings.ffm;
