package dev.samediff.samples.evaluate;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.PromptTemplate;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The words around prompts in which the papers asked their models. */
public enum PaperPrompt {
    /** GSM8K and MATH in the SORSA paper (appendix B.2), as its authors' test.py has them; PiSSA and MetaMath have the same. */
    SORSA_MATH(
            "Below is an instruction that describes a task. Write a response that appropriately completes the request."
                    + "\n\n### Instruction:\n{prompt}\n\n### Response: Let's think step by step."),
    /** HumanEval in the SORSA paper (appendix B.2), as its authors' codeeval.py has them. */
    SORSA_HUMANEVAL(
            "@@ Instruction\nHere is the given code to do completion:\n```python\n{prompt}\n```\n\nPlease continue to"
                    + " complete the function with python programming language. You are not allowed to modify the given code and do the"
                    + " completion only.\n\nPlease return all completed codes in one code block.\nThis code block should be in the"
                    + " following format:\n'''python\n# Your codes here\n'''\n\n@@ Response\n"),
    /** Instructions of Alpaca, on which the OLoRA paper trains. */
    ALPACA("Below is an instruction that describes a task. Write a response that appropriately completes the request."
            + "\n\n### Instruction:\n{prompt}\n\n### Response:\n");

    private final String words;

    PaperPrompt(String words) {
        this.words = words;
    }

    /** Returns the words with {@code {prompt}} in them. */
    public PromptTemplate template() {
        return new PromptTemplate(words);
    }

    /**
     * Returns the prompt of a name: {@code sorsa-math}, {@code sorsa-humaneval}, {@code alpaca}.
     *
     * @throws InvalidInputException if there is none
     */
    public static PaperPrompt named(String name) {
        return Arrays.stream(values())
                .filter(each -> each.option().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("--prompt " + name + " is not possible; there are "
                        + Arrays.stream(values()).map(PaperPrompt::option).collect(Collectors.joining(", "))
                        + "; other words are given by --template"));
    }

    private String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
