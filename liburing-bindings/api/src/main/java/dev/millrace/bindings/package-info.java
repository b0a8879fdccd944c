// SPDX-License-Identifier: Apache-2.0
/** The ABI of {@code libmillrace} said in Java, the search for the library, and the choice of the way across. */
package dev.millrace.bindings;
