// SPDX-License-Identifier: Apache-2.0
/** What layers cost beside their files: recording accesses, finding layers. */
package dev.millrace.benchmarks.layers;
