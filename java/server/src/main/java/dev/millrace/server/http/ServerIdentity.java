// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server.http;

/**
 * Who this server is.
 *
 * @param id a number that tells it from others
 * @param version of the program
 */
public record ServerIdentity(long id, String version) {}
