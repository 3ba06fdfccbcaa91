/** Of the hub, its API and the charts, which are released together. */
export const VERSION = '0.1.0';
