/** DJL's predictors over those of this project. DJL's API is on the class path with the tokenizers. */
@NullMarked
package dev.samediff.samples.djl;

import org.jspecify.annotations.NullMarked;
