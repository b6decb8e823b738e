/** Tests of plans with targets that compute nothing: what is placed where, and in which order a target is called. */
@NullMarked
package dev.samediff.adapters.engine.plan;

import org.jspecify.annotations.NullMarked;
