/** What several tests need. */
@NullMarked
package dev.samediff.dl4j.testing;

import org.jspecify.annotations.NullMarked;
