/**
 * The text of the bundled demonstration: a seeded generator of short arithmetic stories in two distributions.
 *
 * <p>Holds what produces and marks that text, on the plain JDK. Models, vocabularies and training do not belong here.
 */
package dev.samediff.samples.stories;
