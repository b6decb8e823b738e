package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.JsonFiles;

/**
 * Words around a prompt, such as {@code "Question: {prompt}\nAnswer: "}. Use the same template for training and
 * generation: nothing else separates prompt and response.
 *
 * @param pattern text with {@code {prompt}} exactly once
 */
public record PromptTemplate(String pattern) {
    private static final String PLACE = "{prompt}";

    public PromptTemplate {
        int first = pattern.indexOf(PLACE);
        if (first < 0 || first != pattern.lastIndexOf(PLACE)) {
            throw new InvalidInputException("the prompt template `" + JsonFiles.excerpt(pattern)
                    + "` must hold {prompt} exactly once, as in `Question: {prompt}\\nAnswer: `");
        }
    }

    /** The words around {@code prompt}. */
    public String apply(String prompt) {
        return pattern.replace(PLACE, prompt);
    }

    /** The example with the words around its prompt; plain text stays as it is. */
    public TextExample apply(TextExample example) {
        return example.isPlainText() ? example : new TextExample(apply(example.prompt()), example.response());
    }
}
