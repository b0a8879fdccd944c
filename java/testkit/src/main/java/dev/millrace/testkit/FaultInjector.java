// SPDX-License-Identifier: Apache-2.0
package dev.millrace.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The script of a {@link FaultyServer}: rules, of which the first live one that matches a request says what goes wrong
 * with it. A rule that has been used up is dropped; a request that no rule matches goes well. Thread-safe; holds at
 * most {@value #MAX_RULES} rules.
 */
public final class FaultInjector {
    /** The most rules alive at once. */
    public static final int MAX_RULES = 4096;

    private final List<Rule> rules = new ArrayList<>();

    FaultInjector() {}

    Rule on(Predicate<? super Request> which) {
        return new Rule(which);
    }

    /** Drops all rules. */
    synchronized void clear() {
        rules.clear();
    }

    synchronized List<Fault> decide(Request request) {
        for (int i = 0; i < rules.size(); i++) {
            Rule rule = rules.get(i);
            if (rule.which.test(request)) {
                if (rule.skip > 0) {
                    rule.skip--;
                    continue;
                }
                List<Fault> faults = rule.next();
                if (rule.times == 0) {
                    rules.remove(i);
                }
                return Fault.flatten(faults);
            }
        }
        return List.of();
    }

    private synchronized void add(Rule rule) {
        if (rules.size() >= MAX_RULES) {
            throw new IllegalStateException("A server holds at most " + MAX_RULES + " rules.");
        }
        rules.add(rule);
    }

    /**
     * One rule in the making; it is alive from {@link #then} or {@link #inTurn} on, after which it must not be changed.
     */
    public final class Rule {
        private final Predicate<? super Request> which;
        private long skip;
        private long times = Long.MAX_VALUE;
        private List<List<Fault>> turns = List.of();
        private long hits;

        private Rule(Predicate<? super Request> which) {
            this.which = which;
        }

        /** Lets the first so many requests that match go to the next rules. */
        public Rule skip(int requests) {
            skip = requests;
            return this;
        }

        /** Holds for so many requests; without it, for all. */
        public Rule times(int requests) {
            if (requests <= 0) {
                throw new IllegalArgumentException("A rule holds for at least one request, not " + requests + ".");
            }
            times = requests;
            return this;
        }

        /** Holds for one request. */
        public Rule once() {
            return times(1);
        }

        /** Each request of this rule meets all of these faults at once. */
        public Rule then(Fault... faults) {
            turns = List.of(List.of(faults));
            add(this);
            return this;
        }

        /** The first request of this rule meets the first fault, the second the second, and then the rule is used up. */
        public Rule inTurn(Fault... faults) {
            times = faults.length;
            turns = List.of(faults).stream().map(List::of).toList();
            if (faults.length > 0) {
                add(this);
            }
            return this;
        }

        /** How many requests met this rule so far. */
        public long hits() {
            synchronized (FaultInjector.this) {
                return hits;
            }
        }

        private List<Fault> next() {
            times--;
            List<Fault> turn = turns.get(turns.size() == 1 ? 0 : (int) hits);
            hits++;
            return turn;
        }
    }
}
