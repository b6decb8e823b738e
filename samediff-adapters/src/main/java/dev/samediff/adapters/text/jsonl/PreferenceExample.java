package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.JsonFiles;

/**
 * A prompt with a better and a worse answer.
 *
 * @param prompt what the model is given
 * @param chosen the better answer
 * @param rejected the worse answer, another one
 */
public record PreferenceExample(String prompt, String chosen, String rejected) {
    public PreferenceExample {
        if (chosen.isEmpty() || rejected.isEmpty() || chosen.equals(rejected)) {
            throw new InvalidInputException("the answers to the prompt `" + JsonFiles.excerpt(prompt) + "` are `"
                    + JsonFiles.excerpt(chosen) + "` and `" + JsonFiles.excerpt(rejected)
                    + "`; expected two that are not empty and differ");
        }
    }
}
