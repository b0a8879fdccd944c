// SPDX-License-Identifier: Apache-2.0
/** Meters of Micrometer for engines. */
package dev.millrace.micrometer;
