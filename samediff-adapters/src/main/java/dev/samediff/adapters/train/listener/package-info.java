/**
 * What a training tells whom: events, the log, the metrics file.
 *
 * <p>Belongs here: listeners. Does not belong here: reports for people ({@code samples}).
 */
@NullMarked
package dev.samediff.adapters.train.listener;

import org.jspecify.annotations.NullMarked;
