package dev.samediff.samples.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** One run of the command line in this process. */
record Run(int exitCode, String out, String err) {
    static Run of(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exitCode = Cli.execute(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Run(exitCode, out.toString(), err.toString());
    }

    /** The last line of the results. */
    JsonNode json() {
        List<String> lines = out.strip().lines().toList();
        return Json.parse(lines.get(lines.size() - 1));
    }

    /** What is said about the failure. */
    String error() {
        List<String> errors =
                err.lines().filter(line -> line.startsWith("error: ")).toList();
        if (errors.size() != 1) {
            throw new AssertionError("expected one sentence, got: " + err);
        }
        return errors.get(0);
    }
}
