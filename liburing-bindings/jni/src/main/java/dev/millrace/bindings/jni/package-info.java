// SPDX-License-Identifier: Apache-2.0
/** The way across by JNI, through glue that JavaCPP generates (JDK 17+). */
package dev.millrace.bindings.jni;
