/**
 * A sweep on Arbiter's page in DL4J's UI server. The only package that knows either; both are optional libraries, which the
 * user's class path provides.
 *
 * <p>Arbiter's page was written for networks of DL4J. What it asks of a network's space is answered here for a space of
 * adapters, so that every part of the page works.
 */
@NullMarked
package dev.samediff.tuning.arbiter.page;

import org.jspecify.annotations.NullMarked;
