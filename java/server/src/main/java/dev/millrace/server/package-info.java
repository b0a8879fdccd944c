// SPDX-License-Identifier: Apache-2.0
/** The command line: {@link dev.millrace.server.Main} with its commands {@code get} and {@code doctor}. */
package dev.millrace.server;
