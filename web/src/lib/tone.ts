/** What a state means to somebody on call; each has one colour. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';
