/** Order of the UTF-8 bytes of two well-formed texts, without encoding them. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return utf8Rank(left) - utf8Rank(right)
  }
  return a.length - b.length
}

/** UTF-16 puts surrogates below U+E000; in UTF-8 what they stand for comes last. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000
}
