import type { Trx } from '../store/schema.ts';

/** Answers how many ApplicationSets follow one of the topics. */
export type TopicListener = (trx: Trx, topics: readonly string[]) => Promise<number>;

/**
 * Tells ApplicationSets that something changed where their generators ask, inside the transaction that records it.
 * A topic is a text that both sides make: a pull request of a repository, a plugin, decisions on clusters.
 */
export class Topics {
  #listener: TopicListener = () => Promise.resolve(0);

  on(listener: TopicListener): void {
    this.#listener = listener;
  }

  async announce(trx: Trx, topics: readonly string[]): Promise<number> {
    return topics.length === 0 ? 0 : this.#listener(trx, topics);
  }
}

/** Any webhook; the reference too asks plugins again at each. */
export const PLUGINS = 'plugins';
/** The registration of one plugin. */
export const pluginTopic = (name: string): string => `plugin ${name}`;
/** Decisions on clusters: their resources, or the ConfigMaps that say how to read them. */
export const DECISIONS = 'decisions';
