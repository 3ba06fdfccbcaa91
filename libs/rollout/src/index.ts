export * from './admission.ts';
export { type BeginInput, PRUNE_GATE, begin, enqueue, stageOfJoiner } from './begin.ts';
export type { Blocker } from './blockers.ts';
export { findCycle } from './cycles.ts';
export { decide, isVerb, replay } from './decide.ts';
export {
  DEPENDS_ON_ANNOTATION,
  type Dependency,
  dependenciesOf,
  dependencyText,
  inNamespace,
  parseDependsOn,
} from './dependencies.ts';
export { EDGES, edgeOf } from './edges.ts';
export * from './explain.ts';
export { objectText } from './words.ts';
export { isMeasurable, isProving } from './gates.ts';
export { type Measurement, needsText, openMeasurements, shownUrl } from './gate-words.ts';
export * from './judging.ts';
export * from './policy.ts';
export * from './policy-choice.ts';
export { parseRolloutPolicy } from './policy-manifest.ts';
export * from './quantity.ts';
export { type QueryPlace, fillQuery, hasPlaceholders } from './query-text.ts';
export * from './rolling-sync.ts';
export * from './selector.ts';
export { type Candidate, type StageSpan, stageSpans } from './stage-spans.ts';
export * from './target-blockers.ts';
export * from './types.ts';
export { refusal } from './verbs.ts';
export * from './undo.ts';
export * from './windows.ts';
export { MAX_BREAKS, hasEnded } from './work.ts';
export * from './promotion/decide-change.ts';
export * from './promotion/promotion.ts';
export * from './promotion/promotion-manifest.ts';
