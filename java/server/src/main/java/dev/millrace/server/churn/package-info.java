// SPDX-License-Identifier: Apache-2.0
/**
 * The churn benchmark: drives any server of the management API, its own or another, by evicting random layers that are
 * resident and downloading random layers that are not. {@link dev.millrace.server.churn.Churn} is a run,
 * {@link dev.millrace.server.churn.SpawnedServer} a server and a store for the time of a run.
 */
package dev.millrace.server.churn;
