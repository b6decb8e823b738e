/**
 * The adapter methods: one record per file with its hyper-parameters, its start, its branch in the graph and its weight
 * change. A new method is one file here, one line in {@link dev.samediff.adapters.method.AdapterMethods} and a pass of
 * the shared contract test.
 *
 * <p>Does not belong here: finding layers, rewiring graphs, orientation, files.
 */
@NullMarked
package dev.samediff.adapters.method;

import org.jspecify.annotations.NullMarked;
