import { hubClient } from '@muster/api/client';

/** The hub that served this page; the browser sends its session cookie. */
export const hub = hubClient({ hub: '' });
