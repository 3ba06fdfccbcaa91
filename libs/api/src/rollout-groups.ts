/** States of targets, by what somebody who looks wants to know. */
export const TARGET_GROUPS = {
  failed: ['failed', 'restore-failed', 'unproven'],
  moving: ['assigned', 'applied', 'healthy', 'reverting', 'restoring'],
  back: ['restored', 'kept'],
  waiting: ['waiting', 'deferred', 'manual'],
  done: ['done'],
  out: ['skipped', 'pinned', 'gone'],
} as const;
export type TargetGroup = keyof typeof TARGET_GROUPS;
