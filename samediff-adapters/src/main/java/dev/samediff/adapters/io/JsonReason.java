package dev.samediff.adapters.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;

/** What a parser of JSON complained of, in words for users: its own are partly for programmers. */
public final class JsonReason {
    private JsonReason() {}

    /** Returns one line; of a text with something behind its value only that. */
    public static String of(JsonProcessingException e) {
        if (e instanceof JsonMappingException) {
            return "there is more behind its end";
        }
        String what = String.valueOf(e.getOriginalMessage());
        if (what.startsWith("Unexpected end-of-input")) {
            return "it ends before it is complete";
        }
        int stop = what.indexOf('\n');
        String line = stop < 0 ? what : what.substring(0, stop);
        return line.replaceAll("(: |,? ?\\()enable `[^`]*`( to allow\\)?)?", "") // settings of the parser
                .replaceAll("^Non-standard token '([^']*)'", "`$1` is no value of JSON")
                .replaceAll(" ?\\((start marker )?at \\[.*", "");
    }
}
