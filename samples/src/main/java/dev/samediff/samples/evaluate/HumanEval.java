package dev.samediff.samples.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.samples.output.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** Problems of HumanEval (Chen et al. 2021) as they are published: {@code HumanEval.jsonl}, or {@code .jsonl.gz}. */
final class HumanEval {
    private static final Pattern BLOCK = Pattern.compile("```(?:python)?[ \\t]*\\n([\\s\\S]*?)\\n?```");

    /** Where a completion of a function's body has left it; the paper's stop sequences, and the end of the SORSA prompt's turn. */
    private static final List<String> STOPS = List.of("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n@@");

    private HumanEval() {}

    /**
     * One problem.
     *
     * @param task its name
     * @param prompt a function's head and documentation
     * @param solution its body
     * @param test what defines {@code check(candidate)}
     * @param entryPoint the function's name
     */
    record Problem(String task, String prompt, String solution, String test, String entryPoint) {
        /** Returns the program that ends without an error if the completion is right. */
        String program(String written) {
            return prompt + completion(written) + "\n" + test + "\ncheck(" + entryPoint + ")\n";
        }

        /** What the model wrote, without what is no program: the first block of code, or the body of the function. */
        private static String completion(String written) {
            Matcher block = BLOCK.matcher(written);
            if (block.find()) {
                String code = block.group(1);
                return code.matches("(?s)\\s*(def|from|import|class|@)\\b.*") ? "    pass\n\n" + code : code;
            }
            int end = written.length();
            for (String stop : STOPS) {
                int found = written.indexOf(stop);
                end = found < 0 ? end : Math.min(end, found);
            }
            return written.substring(0, end);
        }
    }

    /** Returns the problems of a file, if its first line is one. */
    static Optional<List<Problem>> read(Path file) throws IOException {
        boolean packed = file.toString().endsWith(".gz");
        List<Problem> problems = new ArrayList<>();
        try (InputStream bytes = Files.newInputStream(file);
                InputStream plain = packed ? new GZIPInputStream(bytes) : bytes;
                BufferedReader lines = new BufferedReader(new InputStreamReader(plain, StandardCharsets.UTF_8))) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (line.isBlank()) {
                    continue;
                }
                Optional<Problem> problem = problem(line);
                if (problem.isEmpty() && problems.isEmpty() && !packed) {
                    return Optional.empty();
                }
                int at = number;
                problems.add(problem.orElseThrow(() -> new InvalidInputException(file + ", line " + at
                        + ": expected task_id, prompt, canonical_solution, test and entry_point")));
            }
        }
        return problems.isEmpty() ? Optional.empty() : Optional.of(problems);
    }

    private static Optional<Problem> problem(String line) {
        JsonNode json;
        try {
            json = Json.parse(line);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        boolean whole = List.of("task_id", "prompt", "canonical_solution", "test", "entry_point").stream()
                .allMatch(key -> json.path(key).isTextual());
        return !whole
                ? Optional.empty()
                : Optional.of(new Problem(
                        json.path("task_id").textValue(),
                        json.path("prompt").textValue(),
                        json.path("canonical_solution").textValue(),
                        json.path("test").textValue(),
                        json.path("entry_point").textValue()));
    }
}
