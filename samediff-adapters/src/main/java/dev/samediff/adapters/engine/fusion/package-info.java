/**
 * Forms that exporters write in many nodes and the engine computes in one.
 *
 * <p>Belongs here: recognition of forms and their replacement. Does not belong here: how the replacement is computed ({@code kernel}) and derived ({@code gradient}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
