/**
 * Single operations of ND4J, executed outside a SameDiff session.
 *
 * <p>Belongs here: binding arrays to an operation, its output shapes, running it. Does not belong here: in which order and
 * where in memory, which is the matter of the engines.
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
