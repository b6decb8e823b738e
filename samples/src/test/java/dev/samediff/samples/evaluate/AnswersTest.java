package dev.samediff.samples.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswersTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "#### | 3+4=7\\n#### 7 | 7",
                "#### | #### 1\\nno\\n####  1,234 \\nmore | 1,234",
                "boxed | so $\\boxed{\\frac{1}{2}}$. | \\frac{1}{2}",
                "boxed | \\boxed{1} then \\boxed{2} | 2",
                "boxed | it is $\\boxed 7$ | 7",
                "boxed | \\fbox{a{b}c} | a{b}c",
                "The answer is | We add. The answer is: 72. | 72",
                "The answer is | the answer is 3.5. Then | 3.5",
                "the ANSWER is | The answer is 1. The answer is 2 | 2",
                "regex:= *(\\d+) | a = 1, b =2 | 2",
                "regex:\\d+ | 12 and 34 | 34",
                "json:answer | I say {\"answer\": 12, \"why\": {\"x\": 1}} | 12",
                "json:a.b | {\"a\": {\"b\": \"c\"}} | c",
            })
    void an_answer_is_found(String form, String text, String answer) {
        assertThat(AnswerForm.named(form).find(text.replace("\\n", "\n"))).contains(answer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "#### | 3+4=7",
                "boxed | \\boxed{cut off",
                "The answer is | It is 7",
                "regex:x(\\d) | y1",
                "json:answer | {\"other\": 1}",
                "json:answer | no braces",
                "json:answer | } {",
            })
    void no_answer_is_found(String form, String text) {
        assertThat(AnswerForm.named(form).find(text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "$1,234.0 | 1234",
                "1234 | 1,234",
                "-5 | -5.00",
                "-$5 | -5",
                "18 dollars | 18",
                "50% | 50",
                ".5 | 0.5",
                "1/2 | 0.5",
                "\\frac{1}{2} | \\dfrac{1}{2}",
                "\\frac{3}{4} | 0.75",
                "72. | 72",
                "\\left( 1, 2 \\right) | (1,2)",
                "\\text{even} | even",
                "90^\\circ | 90",
                "3\\sqrt{2} | 3 \\sqrt{2}",
            })
    void equal_answers_are_the_same(String one, String other) {
        assertThat(SameAnswer.of(one, other)).isTrue();
        assertThat(SameAnswer.of(other, one)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "12 | 13",
                "1.5 | 15",
                "-5 | 5",
                "x^2 | 2",
                "2x | 2",
                "1,23 | 123",
                "1/0 | 0",
                "even | odd",
                "5 | five"
            })
    void other_answers_are_not(String one, String other) {
        assertThat(SameAnswer.of(one, other)).isFalse();
        assertThat(SameAnswer.of(other, one)).isFalse();
    }

    @Test
    void another_wording_with_the_same_answer_is_right() {
        String expected = "Half of 48 is 24. 48+24=72.\n#### 72";
        assertThat(AnswerForm.HASHES.exactMatch().matches("24+48 is 72\n#### 72.0", expected))
                .isTrue();
        assertThat(AnswerForm.SENTENCE.exactMatch().matches("The answer is: 72.", expected))
                .isTrue();
        assertThat(AnswerForm.SENTENCE.exactMatch().matches("#### 72", expected))
                .as("what the model writes must have the form that was asked for")
                .isFalse();
        assertThat(AnswerForm.HASHES.orKnown().exactMatch().matches("The answer is 72", expected))
                .isTrue();
        assertThat(AnswerForm.BOXED.exactMatch().matches("\\boxed{1,000}", "1000"))
                .isTrue();
    }

    @Test
    void forms_that_do_not_exist_are_refused() {
        assertThatThrownBy(() -> AnswerForm.named("regex:("))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("regex:( is no regular expression");
        assertThatThrownBy(() -> AnswerForm.named("last number"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("####, boxed, 'The answer is'");
        assertThatThrownBy(() -> PaperPrompt.named("none"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sorsa-math, sorsa-humaneval, alpaca");
    }

    @Test
    void prompts_of_papers_have_the_question_in_them() {
        assertThat(PaperPrompt.named("sorsa-math").template().apply("1+1?"))
                .isEqualTo(
                        "Below is an instruction that describes a task. Write a response that appropriately completes"
                                + " the request.\n\n### Instruction:\n1+1?\n\n### Response: Let's think step by step.");
        assertThat(PaperPrompt.named("sorsa-humaneval").template().apply("def f():"))
                .contains("```python\ndef f():\n```")
                .endsWith("@@ Response\n");
    }
}
