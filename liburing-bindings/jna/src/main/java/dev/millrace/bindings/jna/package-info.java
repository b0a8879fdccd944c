// SPDX-License-Identifier: Apache-2.0
/** The way across by JNA's direct mapping, which needs no compiled glue of ours (JDK 17+). */
package dev.millrace.bindings.jna;
