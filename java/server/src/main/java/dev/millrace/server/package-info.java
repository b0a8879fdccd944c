// SPDX-License-Identifier: Apache-2.0
/**
 * The command line: {@link dev.millrace.server.Main} with its commands {@code get}, {@code doctor}, {@code serve},
 * {@code generate} and {@code bench}.
 */
package dev.millrace.server;
