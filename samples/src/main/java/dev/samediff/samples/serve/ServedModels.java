package dev.samediff.samples.serve;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.predict.TextCompleter;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.TextRecipe;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.samples.model.LanguageModel;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A base model and its adapters in one pool, by their names. Thread-safe. */
public final class ServedModels implements AutoCloseable {
    private static final int SOME_TOKENS = 16; // replaced by the plan of each request

    private final ModelPool pool;
    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private final LanguageModel base;

    private ServedModels(LanguageModel base, ModelPool pool) {
        this.base = base;
        this.pool = pool;
    }

    /**
     * How the base model is asked.
     *
     * @param name its name
     * @param chat template of conversations, if there is one
     * @param chatGiven whether the user named it, so that it holds for adapters which were trained with another one too
     * @param bosGiven whether the user decided what goes in front of texts, likewise
     */
    public record Manner(String name, Optional<ChatTemplate> chat, boolean chatGiven, boolean bosGiven) {}

    /**
     * Opens a model and its adapters.
     *
     * @param base the model
     * @param manner how it is asked
     * @param adapters adapters of it; each is asked as it was trained
     * @param options workers, threads, precision
     * @throws InvalidInputException if an adapter does not fit, or two have one name
     */
    public static ServedModels open(LanguageModel base, Manner manner, List<NamedAdapter> adapters, PoolOptions options)
            throws IOException {
        requireDistinct(manner.name(), adapters);
        ModelPool pool = ModelPool.open(base.imported(), options);
        ServedModels served = new ServedModels(base, pool);
        try {
            served.add(manner.name(), manner, Optional.empty(), Optional.empty(), 0);
            for (NamedAdapter adapter : adapters) {
                AdapterState state = AdapterFolder.load(adapter.folder());
                pool.put(adapter.name(), state);
                served.add(
                        adapter.name(),
                        manner,
                        TextRecipe.read(AdapterFolder.placeOf(adapter.folder())),
                        Optional.of(adapter.name()),
                        state.virtualTokens());
            }
            return served;
        } catch (RuntimeException | IOException e) {
            pool.close();
            throw e;
        }
    }

    /**
     * Checks that no two models have one name.
     *
     * @param base name of the base model
     * @throws InvalidInputException if two have
     */
    public static void requireDistinct(String base, List<NamedAdapter> adapters) {
        Set<String> names = new HashSet<>(List.of(base));
        for (NamedAdapter adapter : adapters) {
            if (!names.add(adapter.name())) {
                throw new InvalidInputException("two models are called `" + adapter.name() + "`; call the adapter "
                        + adapter.folder() + " something else: NAME=" + adapter.folder());
            }
        }
    }

    private void add(
            String name, Manner manner, Optional<TextRecipe> recipe, Optional<String> adapter, int virtualTokens) {
        Framing framing = (manner.bosGiven() || recipe.isEmpty()
                        ? base.framing()
                        : recipe.get().applyTo(base.framing()))
                .behind(virtualTokens);
        Optional<ChatTemplate> trained = recipe.flatMap(TextRecipe::chat).map(TextRecipe.Chat::compiled);
        Optional<ChatTemplate> chat = manner.chatGiven() ? manner.chat() : trained.or(manner::chat);
        Framing ofChat = manner.bosGiven() || (trained.isPresent() && !manner.chatGiven())
                ? framing
                : framing.withBefore(List.of(), "the chat template writes all of it");
        SequenceEncoder encoder = base.encoder().withFraming(framing);
        TextCompleter completer = TextCompleter.of(pool, base.tokenizer(), plan(SOME_TOKENS), base.logits());
        models.put(
                name,
                new ServedModel(
                        name,
                        adapter.map(completer::withAdapter).orElse(completer),
                        encoder,
                        recipe.flatMap(TextRecipe::template),
                        chat.map(template -> new ServedModel.Conversation(template, encoder.withFraming(ofChat)))));
    }

    /** Returns a greedy plan with as many new tokens, for this model's lengths. */
    public GenerationPlan plan(int newTokens) {
        return GenerationPlan.greedy(newTokens, base.maxLength())
                .paddedToMultipleOf(base.inputs().fixedLength().orElse(1));
    }

    /** Returns the models by name, the base model first. */
    public List<ServedModel> all() {
        return List.copyOf(models.values());
    }

    /** Returns the model of this name. */
    public Optional<ServedModel> find(String name) {
        return Optional.ofNullable(models.get(name));
    }

    @Override
    public void close() {
        pool.close();
    }
}
