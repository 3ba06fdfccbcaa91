// The library's container wants the polyfill first; this file is its one import site and keeps the order.
import 'reflect-metadata';

export * from '@peculiar/x509';
