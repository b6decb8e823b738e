/**
 * From a SameDiff graph and the shapes of its placeholders to a program.
 *
 * <p>Everything that does not depend on the values of placeholders and variables is computed here, once: sizes, positions,
 * causal masks. The rest is translated op by op; what has no translation stays an ND4J op.
 *
 * <p>Belongs here: the meaning of SameDiff's ops. Does not belong here: fusions ({@code program}), derivatives ({@code
 * gradient}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.lowering;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
