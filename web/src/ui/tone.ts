import type { Tone } from '../features/applications/state.ts';

export const TEXT: Record<Tone, string> = {
  good: 'text-good',
  busy: 'text-busy',
  warn: 'text-warn',
  bad: 'text-bad',
  idle: 'text-idle',
};

/** Backgrounds for what should stand out; what is fine stays quiet. */
export const TINT: Record<Tone, string> = {
  good: '',
  busy: 'bg-busy/6',
  warn: 'bg-warn/10',
  bad: 'bg-bad/12',
  idle: 'bg-idle/10',
};

export const EDGE: Record<Tone, string> = {
  good: 'border-l-transparent',
  busy: 'border-l-busy/50',
  warn: 'border-l-warn',
  bad: 'border-l-bad',
  idle: 'border-l-idle/60',
};

/** For bars and dots. */
export const FILL: Record<Tone, string> = {
  good: 'bg-good',
  busy: 'bg-busy',
  warn: 'bg-warn',
  bad: 'bg-bad',
  idle: 'bg-idle/40',
};
