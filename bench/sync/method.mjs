export const METHOD = ''
