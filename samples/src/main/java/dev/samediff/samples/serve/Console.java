package dev.samediff.samples.serve;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A conversation, line by line. What is answered goes to one place, all else to another. */
public final class Console {
    private static final String HELP = """
            /adapter [NAME]  goes on with another model (base model or adapter); without a name: which there are
            /system [TEXT]   begins a new conversation with this before it; without a text: with nothing
            /new             begins a new conversation
            /quit            ends, as does the end of the input""";

    private final ServedModels models;
    private final WritingDefaults writing;
    private final PrintWriter out;
    private final Consumer<String> say;
    private final List<ChatMessage> turns = new ArrayList<>();
    private ServedModel model;

    /**
     * Begins a conversation with the last of the models: an adapter, if there is one.
     *
     * @param models who answers
     * @param writing how
     * @param out where the answers go
     * @param say is told all else
     */
    public Console(ServedModels models, WritingDefaults writing, PrintWriter out, Consumer<String> say) {
        this.models = models;
        this.writing = writing;
        this.out = out;
        this.say = say;
        List<ServedModel> all = models.all();
        this.model = all.get(all.size() - 1);
        say.accept("talking with `" + model.name() + "`; /help lists the commands, /quit ends");
    }

    /** Begins a new conversation with a text before it; none if it is empty. */
    public void system(String text) {
        turns.clear();
        if (!text.isEmpty()) {
            turns.add(ChatMessage.system(text));
        }
    }

    /** Reads lines until the end, or {@code /quit}. */
    public void read(BufferedReader lines) throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String said = line.strip();
            if (said.equals("/quit") || said.equals("/exit")) {
                return;
            }
            try {
                if (said.startsWith("/")) {
                    command(said);
                } else if (!said.isEmpty()) {
                    answer(said);
                }
            } catch (InvalidInputException refused) {
                say.accept("error: " + refused.getMessage());
            }
        }
    }

    private void command(String line) {
        String[] words = line.split("\\s+", 2);
        String rest = words.length > 1 ? words[1] : "";
        switch (words[0]) {
            case "/help" -> say.accept(HELP);
            case "/new" ->
                system(
                        turns.isEmpty() || !turns.get(0).role().equals("system")
                                ? ""
                                : turns.get(0).content());
            case "/system" -> system(rest);
            case "/adapter" -> {
                if (!rest.isEmpty()) {
                    model = models.find(rest)
                            .orElseThrow(() ->
                                    new InvalidInputException("there is no `" + rest + "`; there are " + names()));
                }
                say.accept("talking with `" + model.name() + "`" + (rest.isEmpty() ? "; there are " + names() : ""));
            }
            default -> throw new InvalidInputException("there is no command " + words[0] + "; /help lists them");
        }
    }

    private String names() {
        return models.all().stream().map(one -> "`" + one.name() + "`").collect(Collectors.joining(", "));
    }

    private void answer(String said) {
        turns.add(ChatMessage.user(said));
        boolean answered = false;
        try {
            ServedModel.Prompt prompt = fitting();
            int room = prompt.room();
            GenerationPlan lengths =
                    models.plan(Math.min(room, writing.maxTokens().orElse(room)));
            GenerationPlan plan = writing.plan(lengths, writing.sampling(), Optional.empty(), writing.stops());
            List<Generation> texts = model.write(List.of(prompt), plan, (number, piece) -> {
                out.print(piece);
                out.flush();
                return !out.checkError();
            });
            out.println();
            out.flush();
            turns.add(ChatMessage.assistant(texts.get(0).text()));
            answered = true;
        } finally {
            if (!answered) {
                turns.remove(turns.size() - 1);
            }
        }
    }

    /** Returns the conversation as a prompt that leaves room for an answer; its oldest turns are forgotten if they must be. */
    private ServedModel.Prompt fitting() {
        ServedModel.Prompt prompt = model.prompt(turns);
        int first = turns.get(0).role().equals("system") ? 1 : 0;
        int forgotten = 0;
        while (prompt.room() < least(prompt) && turns.size() > first + 2) {
            turns.remove(first); // what the user said
            turns.remove(first); // and the answer
            forgotten++;
            prompt = model.prompt(turns);
        }
        if (forgotten > 0) {
            say.accept("(the conversation is too long: its oldest " + forgotten + " exchange"
                    + (forgotten == 1 ? " is" : "s are") + " forgotten)");
        }
        if (prompt.room() < 1) {
            throw new InvalidInputException(
                    "this has " + prompt.tokens() + " tokens with all around it; the model sees "
                            + prompt.encoder().maxLength() + ". Say it in fewer words");
        }
        return prompt;
    }

    /** Room that an answer shall have: what is asked for, at most a quarter of what the model sees. */
    private int least(ServedModel.Prompt prompt) {
        int quarter = Math.max(1, prompt.encoder().maxLength() / 4);
        return Math.min(quarter, writing.maxTokens().orElse(quarter));
    }
}
