package dev.samediff.adapters.method;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterMethodProvider;
import dev.samediff.adapters.InvalidInputException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** The methods of {@link AdapterMethodProvider}s. They are looked up each time, because threads of one process may see different ones. */
final class ProvidedMethods {
    private ProvidedMethods() {}

    /**
     * Returns the providers by name.
     *
     * @param taken names that no provider may have
     * @throws InvalidInputException if two methods have one name, or a provider cannot be loaded
     */
    static Map<String, AdapterMethodProvider> byName(Collection<String> taken) {
        Map<String, AdapterMethodProvider> found = new LinkedHashMap<>();
        try {
            for (AdapterMethodProvider provider : ServiceLoader.load(AdapterMethodProvider.class)) {
                String name = provider.name();
                String where = provider.getClass().getName();
                if (!name.matches("[a-z0-9_]+")) {
                    throw new InvalidInputException("the adapter method of " + where + " is called `" + name
                            + "`; a name has lower-case letters, digits and `_` only");
                }
                if (taken.contains(name)) {
                    throw new InvalidInputException("the adapter method of " + where + " is called `" + name
                            + "`, as one of this library; give it another name");
                }
                AdapterMethodProvider other = found.put(name, provider);
                if (other != null) {
                    throw new InvalidInputException("the adapter methods of "
                            + other.getClass().getName() + " and " + where + " are both called `" + name
                            + "`; leave one of them out, or give it another name");
                }
            }
        } catch (ServiceConfigurationError e) {
            throw new InvalidInputException(
                    "an adapter method named in META-INF/services cannot be loaded: " + e.getMessage(), e);
        }
        return found;
    }

    /** Makes a method, which must be called as its provider says: a saved adapter is read again by that name. */
    static AdapterMethod create(
            AdapterMethodProvider provider, int rank, OptionalDouble alpha, Map<String, String> settings) {
        AdapterMethod method = provider.create(rank, alpha, Map.copyOf(settings));
        if (!method.name().equals(provider.name())) {
            throw new InvalidInputException(provider.getClass().getName() + " is for the adapter method `"
                    + provider.name() + "` and makes one that is called `" + method.name()
                    + "`; a saved adapter could not be loaded again");
        }
        return method;
    }
}
