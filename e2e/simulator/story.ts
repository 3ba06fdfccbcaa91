import type { StoryRun } from './story-run.ts';

/** Something that a set goes through. Its clusters are `NAME-x`, and so are its Applications. */
export interface Story {
  name: string;
  clusters: readonly string[];
  /** `spec` of its RolloutPolicy. */
  policy: Record<string, unknown>;
  /** Waits for states alone. What is not to end by itself is held: by an approval, a soak of an hour, an agent that was told so. */
  play(run: StoryRun): Promise<void>;
}
