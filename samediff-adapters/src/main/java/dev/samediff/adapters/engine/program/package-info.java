/**
 * The computation of one step as plain data: typed tensors of known shape and the nodes that compute them.
 *
 * <p>Belongs here: tensors, operations, programs, and the builder that simplifies what it is given and recognises fusions.
 * Does not belong here: where programs come from ({@code lowering}), derivatives ({@code gradient}), memory ({@code plan})
 * and execution ({@code kernel}).
 */
@NullMarked
package dev.samediff.adapters.engine.program;

import org.jspecify.annotations.NullMarked;
