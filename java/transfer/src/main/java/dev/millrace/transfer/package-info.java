// SPDX-License-Identifier: Apache-2.0
/**
 * Objects from a store to complete files: {@link dev.millrace.transfer.ObjectSource} fetches,
 * {@link dev.millrace.transfer.Downloader} retries, verifies and publishes.
 *
 * <p>One byte's way: {@code ObjectSource} → {@code Attempt} → {@code CopyLoop} → {@code VirtualFile} → the engine.
 */
package dev.millrace.transfer;
