// SPDX-License-Identifier: Apache-2.0
/**
 * The store of layers: which layers exist ({@link dev.millrace.layers.store.IndexPart}, kept in a
 * {@link dev.millrace.layers.store.RemoteStore}), which of them are on local disk
 * ({@link dev.millrace.layers.store.Layer}, one state machine each), and how much of the disk they may take
 * (its budget).
 *
 * <p>{@link dev.millrace.layers.store.LayerStore} owns a data folder and its tenants' timelines. Reads enter by
 * {@link dev.millrace.layers.store.Layer#load}, the one door. What each rule is held by, {@code java/layers/CONTRACT.md} lists.
 */
package dev.millrace.layers.store;
