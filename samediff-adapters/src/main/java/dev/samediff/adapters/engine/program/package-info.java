/**
 * The computation of one step as plain data: typed tensors of known shape and the nodes that compute them.
 *
 * <p>Belongs here: tensors, operations, programs, and the builder that simplifies what it is given and recognises fusions.
 * Does not belong here: where programs come from ({@code lowering}), derivatives ({@code gradient}), memory ({@code plan})
 * and execution ({@code kernel}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.program;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
