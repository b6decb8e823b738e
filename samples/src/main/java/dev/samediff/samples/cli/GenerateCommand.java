package dev.samediff.samples.cli;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.text.batch.PromptTemplate;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.text.chat.ChatMessage;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.generation.CachedLogits;
import dev.samediff.adapters.text.generation.Generation;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.TextGenerator;
import dev.samediff.adapters.text.tokenizer.Beginning;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.model.Vocabularies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code generate}: what a model writes. */
@CommandLine.Command(
        name = "generate",
        description = "Writes on after prompts, with or without an adapter.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  samples/run generate --prompt \"Tom has 7 pens. Tom finds 5 more. How many pens now?\\n\"",
            "  samples/run generate --adapter run1/adapter --prompts prompts.txt --temperature 0.7 --seed 3"
        })
final class GenerateCommand extends Command {
    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @Option(names = "--adapter", paramLabel = "DIR", description = "An adapter's folder. Default: none.")
    @Nullable
    Path adapter;

    @ArgGroup(exclusive = true, multiplicity = "1")
    PromptOptions prompts = new PromptOptions();

    @Option(
            names = "--template",
            paramLabel = "TEXT",
            description =
                    "Words around each prompt, such as 'Question: {prompt} Answer: '; \\n is a line break. Default:"
                            + " those the adapter was trained with; '{prompt}' is none.")
    @Nullable
    String template;

    @Option(
            names = "--chat",
            description =
                    "Prompts are what a user says: the chat template of the adapter's training, or that of"
                            + " --chat-template, is put around them. An adapter that was trained on conversations needs no --chat.")
    boolean chat;

    @Mixin
    ChatOptions chatTemplate = new ChatOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "What stands before a conversation, with --chat.")
    @Nullable
    String system;

    @ArgGroup(validate = false, heading = "%nWriting%n")
    SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--stream", description = "Prints a text as it is written; with one prompt.")
    boolean stream;

    @Override
    int run() throws IOException {
        List<String> texts = prompts.read();
        if (stream && texts.size() > 1) {
            throw new InvalidInputException("--stream with " + texts.size()
                    + " prompts would mix their texts; give one prompt, or leave it out");
        }
        sampling.sampling(); // refuses before anything is loaded
        Optional<TextRecipe> recipe =
                adapter == null ? Optional.empty() : TextRecipe.read(AdapterFolder.placeOf(adapter));
        List<AdapterState> adapters = adapter == null ? List.of() : List.of(AdapterFolder.load(adapter));
        LanguageModel loaded = model.load(recipe, Vocabularies.of(adapters));
        for (AdapterState state : adapters) {
            AdaptedModel.inject(loaded.imported(), state);
            loaded = loaded.withFraming(loaded.framing().behind(state.virtualTokens()));
        }
        Optional<ChatTemplate> conversation = conversation(recipe);
        if (conversation.isPresent() && recipe.isEmpty() && model.bos == Beginning.AUTO) {
            loaded = loaded.withFraming(loaded.framing().withBefore(List.of(), "the chat template writes all of it"));
        }
        Optional<PromptTemplate> words = words(recipe);
        say("prompts: " + loaded.framing().sentence()
                + (conversation.isPresent() ? ", within the chat template" : "")
                + words.map(one -> ", with the words `" + JsonFiles.excerpt(one.pattern()) + "`")
                        .orElse(""));
        List<String> prompted = texts.stream()
                .map(text -> words.map(one -> one.apply(text)).orElse(text))
                .map(text -> conversation
                        .map(one -> one.render(messages(text), true))
                        .orElse(text))
                .toList();
        List<Generation> written;
        try (InterruptNotice notice = new InterruptNotice(
                this::say,
                "stopped; texts are printed when all are written: start again, or give a smaller --max-tokens")) {
            written = generate(loaded, prompted);
        }
        List<Written> results = IntStream.range(0, texts.size())
                .mapToObj(i -> Written.of(texts.get(i), written.get(i)))
                .toList();
        if (stream) {
            out().println();
        } else {
            results.forEach(one -> out().println(results.size() == 1 ? one.text() : one.prompt() + one.text() + "\n"));
        }
        if (json) {
            printJson(results);
        }
        return 0;
    }

    /** Returns the template of conversations, if prompts are to be within one: that which is given, or that of the training. */
    private Optional<ChatTemplate> conversation(Optional<TextRecipe> recipe) {
        Optional<ChatTemplate> trained = recipe.flatMap(TextRecipe::chat).map(TextRecipe.Chat::compiled);
        boolean wanted = chat || chatTemplate.isGiven() || (trained.isPresent() && template == null);
        if (system != null && !wanted) {
            throw new InvalidInputException("--system is for conversations; give --chat too, or leave it out");
        }
        return !wanted
                ? Optional.empty()
                : trained.isPresent() && !chatTemplate.isGiven()
                        ? trained
                        : Optional.of(chatTemplate.find(model.tokenizer));
    }

    private List<ChatMessage> messages(String text) {
        return system == null
                ? List.of(ChatMessage.user(text))
                : List.of(ChatMessage.system(system.replace("\\n", "\n")), ChatMessage.user(text));
    }

    /** Returns the words around prompts: those given, or those of the adapter's training. */
    private Optional<PromptTemplate> words(Optional<TextRecipe> recipe) {
        return template == null
                ? recipe.flatMap(TextRecipe::template)
                : Optional.of(new PromptTemplate(template.replace("\\n", "\n")));
    }

    private List<Generation> generate(LanguageModel loaded, List<String> texts) {
        GenerationPlan plan = sampling.plan(loaded.maxLength())
                .paddedToMultipleOf(loaded.inputs().fixedLength().orElse(1));
        SequenceEncoder encoder = loaded.encoder();
        try (Engine engine = new ReferenceEngine(loaded.graph(), "", List.of());
                CachedLogits cached = loaded.cachedLogitsBy(engine, EngineOptions.defaults())) {
            TextGenerator generator = new TextGenerator(cached, loaded.tokenizer(), plan);
            List<Generation> written = (stream ? generator.tellingTo(this::print) : generator)
                    .generateFrom(texts.stream().map(encoder::encodePrompt).toList());
            cached.fallback().ifPresent(why -> say("without a key/value cache: " + why));
            return written;
        }
    }

    /** Prints a piece of the only text. */
    private boolean print(int prompt, String piece) {
        out().print(piece);
        out().flush();
        return true;
    }

    /** A result for machines. */
    record Written(String prompt, String text, int tokens, String end) {
        static Written of(String prompt, Generation generation) {
            return new Written(
                    prompt,
                    generation.text(),
                    generation.ids().length,
                    generation.end().name().toLowerCase(Locale.ROOT));
        }
    }
}
