export { AgentLink, PROTOCOL_VERSION } from './agent-link.ts';
export type { AgentEffect, AgentEvent, AgentMemory, HeldAssignment, PersistedChange } from './agent-link.ts';
export type { JournalEntry } from './agent-commands.ts';
export { ReportOutbox, mergeStatus, resourceKey } from './agent-reports.ts';
export { TrustStore } from './agent-trust.ts';
export type { PinnedHub } from './agent-trust.ts';
export { assignmentDigest } from './assignment.ts';
export { ROOT_KEY_ID, payloadSha256, rawPublicKey, signRecord, verifyRecord } from './envelope.ts';
export type { Domain } from './envelope.ts';
export { fingerprint } from './fingerprint.ts';
export type { HeldLine } from './fingerprint.ts';
export type { HubTime } from './hub-clock.ts';
export { HubSession } from './hub-session.ts';
export type {
  DesiredAssignment,
  HubEffect,
  HubEvent,
  OfferedCommand,
  SessionOpening,
} from './hub-session.ts';
export {
  PRESETS,
  VERBS,
  accepts,
  commandRefusal,
  verbOfAction,
  verbOfAsk,
  describeAccepted,
  observesOnly,
  parseVerbs,
  verbRefusal,
} from './power.ts';
export type { Accepted, Verb } from './power.ts';
export { ZERO, applicationKey, compareVersions, newest, versionText } from './version.ts';
