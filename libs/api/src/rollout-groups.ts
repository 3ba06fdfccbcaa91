/** States of targets, by what somebody who looks wants to know. */
export const TARGET_GROUPS = {
  failed: ['failed', 'restore-failed', 'unproven'],
  moving: ['assigned', 'applied', 'healthy', 'reverting', 'restoring'],
  waiting: ['waiting', 'deferred', 'manual'],
  back: ['restored', 'kept'],
  done: ['done'],
  out: ['skipped', 'pinned', 'gone'],
} as const;
export type TargetGroup = keyof typeof TARGET_GROUPS;
