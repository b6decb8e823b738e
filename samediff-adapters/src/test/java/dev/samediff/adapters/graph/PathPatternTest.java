package dev.samediff.adapters.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PathPatternTest {
    private static final String PATH = "base_model.model.transformer.h.11.attn.c_attn_and_a_rather_long_name_behind_it";

    /** The parts that random expressions are made of. */
    private static final List<String> ATOMS = List.of(
            "a",
            "b",
            "c",
            "\\.",
            ".",
            "[ab]",
            "[^a]",
            "[a-c.]",
            "\\d",
            "\\w",
            "\\S",
            "(a|b)",
            "(?:ab|a)",
            "(a|ab)(c|bcd)",
            "^",
            "\\b",
            "(?=a)",
            "(?!b)",
            "(?<=b)",
            "(?<!a)",
            "(?:a*)",
            "(?:)",
            "(?>a+)",
            "(?i:A)");

    private static final List<String> SUFFIXES =
            List.of("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "*+", "++", "?+");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "((.+)+)+!",
                "(((.+)+)+)+!",
                "(([a-z0-9._])+)+!",
                "(.*)*(.*)*(.*)*(.*)*!",
                "(a|a|[a-z.0-9_])*!",
                "(.|.)*!",
                "(((((.*)*)*)*)*)*!",
                "(\\w+\\.?)+!",
                "([^!]+)*!",
                "(.*.*.*.*.*.*.*.*)*!",
                ".*(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)!",
                "(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?(a?)?!",
                "(?=((.+)+)+!).*",
                "(?<=((.+)+)+!).*",
                "(?>(.+)+)+!",
                "(?i)((.+)+)+!"
            })
    void expressions_that_take_for_ever_elsewhere_are_compared_within_the_budget(String regex) {
        assertThat(PathPattern.compile(regex).matches(PATH)).isFalse();
        assertThat(TargetSelector.allLinear().withRankPattern(Map.of(regex, 4)).rank(PATH, 8))
                .isEqualTo(8);
        assertThat(TargetSelector.regex(regex).selects(PATH)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(.*)*(\\1)*(.*)*(\\1)*(.*)*!",
                "(.+)+\\1(.+)+\\2(.+)+!",
                "(){1000000000}",
                "((){50000}){50000}",
                "((a{1000}){1000}){1000}",
                "(a{0,99999}){0,99999}"
            })
    void expressions_that_need_more_than_the_budget_are_refused(String regex) {
        assertThatThrownBy(() -> PathPattern.compile(regex).matches(PATH + PATH))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(regex)
                .hasMessageContaining("repetitions");
    }

    @Test
    void long_and_deep_expressions_are_refused_without_exhausting_the_stack() {
        for (String regex : List.of(
                "(".repeat(90_000),
                "(?:".repeat(5000) + "a" + ")".repeat(5000),
                "a".repeat(100_001),
                "(?=".repeat(20_000))) {
            assertThatThrownBy(() -> PathPattern.compile(regex))
                    .isInstanceOf(InvalidInputException.class)
                    .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(400));
        }
        String path = "a.".repeat(50_000);
        assertThatCode(() -> PathPattern.compile("(a\\.)*").matches(path)).doesNotThrowAnyException();
        assertThat(PathPattern.compile("(?:a|\\.)*").matches(path)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "(x                 | ( without its ) near position 0",
                "x)                 | ) without its (",
                "[x                 | [ without its ]",
                "*x                 | nothing that could be repeated",
                "x**                | a repetition of a repetition",
                "x{3,2}             | fewer repetitions at most than at least",
                "\\y                | an unknown escape",
                "\\1                | no group 1",
                "(?P=n)             | no group with the name n",
                "(?P<n>a)(?P<n>b)   | two groups with the name n",
                "(?P<>a)            | no name of a group",
                "(?(1)a)            | an unknown kind of group or flag",
                "x\\                | a \\ at the end",
                "[b-a]              | a range of characters",
                "\\xZZ              | hexadecimal digits",
            })
    void what_cannot_be_read_is_said(String regex, String words) {
        assertThatThrownBy(() -> PathPattern.compile(regex))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be read")
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "(?P<x>a+)b(?P=x) ; aabaa ; true",
                "(?P<x>a+)b(?P=x) ; aaba  ; false",
                "(a|b)\\1         ; bb    ; true",
                "(a|b)\\1         ; ab    ; false",
                "a{,2}            ; aa    ; true",
                "a{x}             ; a{x}  ; true",
                "[]a]+            ; ]a]   ; true",
                "[\\w.-]+         ; a.b-1 ; true",
                "(?#note)a        ; a     ; true",
                "\\Aa\\Z          ; a     ; true",
                "a$               ; a     ; true",
                "\\x61\\u0062     ; ab    ; true",
                "\\d+             ; ٣     ; true",
                "\\Qa.b\\E+|c      ; a.b   ; true",
                "\\Qa.b\\E         ; axb   ; false",
                "\\\\Qa           ; \\Qa   ; true",
                "(?i)É            ; é     ; true",
                "(?:x(?i)a|b)A    ; xAA   ; true",
                "(?:x(?i)a|b)A    ; xaa   ; false",
            })
    void expressions_are_read_as_python_reads_them(String regex, String path, boolean matches) {
        assertThat(PathPattern.compile(regex).matches(path)).isEqualTo(matches);
    }

    @Test
    void random_expressions_match_what_java_matches() {
        Random random = new Random(7);
        int matches = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder regex = new StringBuilder();
            int parts = 1 + random.nextInt(5);
            for (int part = 0; part < parts; part++) {
                String atom = ATOMS.get(random.nextInt(ATOMS.size()));
                boolean place = atom.equals("^") || atom.equals("\\b");
                regex.append(atom).append(place ? "" : SUFFIXES.get(random.nextInt(SUFFIXES.size())));
                regex.append(random.nextInt(8) == 0 ? "|" : "");
            }
            String expression = random.nextInt(4) == 0 ? "(?:" + regex + ")*" : regex.toString();
            StringBuilder path = new StringBuilder();
            for (int length = random.nextInt(8); length > 0; length--) {
                path.append("abc.1A".charAt(random.nextInt(6)));
            }
            boolean expected = Pattern.compile(expression).matcher(path).matches();
            matches += expected ? 1 : 0;
            assertThat(PathPattern.compile(expression).matches(path.toString()))
                    .as("%s on %s", expression, path)
                    .isEqualTo(expected);
        }
        assertThat(matches).isGreaterThan(1000);
    }

    @Test
    void a_layer_index_beyond_the_integers_is_none() {
        assertThat(TargetSelector.suffixes("q").layers(1).selects("m.layers.99999999999.q"))
                .isFalse();
        assertThat(TargetSelector.suffixes("q").layers(1).selects("m.layers.1.q"))
                .isTrue();
    }

    @Test
    void patterns_of_layer_lists_are_read_when_they_are_given() {
        assertThatThrownBy(() -> TargetSelector.suffixes("q").layers(1).inLayerList("(x"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be read");
        assertThat(TargetSelector.suffixes("q")
                        .layers(1)
                        .inLayerList("((.+)+)+!")
                        .selects(PATH + ".1.q"))
                .isFalse();
    }
}
