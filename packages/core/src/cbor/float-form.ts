/** The three widths of a CBOR float, and which of them is the shortest that keeps a value. */

const view = new DataView(new ArrayBuffer(8))

/** The float16 bits of `value` if float16 keeps it exactly, else -1. NaN has one form, 7e00. */
export function float16BitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  if (Math.fround(value) !== value) return -1
  view.setFloat32(0, value)
  const bits = view.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = (bits >>> 23) & 0xff
  const fraction = bits & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00
  if (exponent === 0) return fraction === 0 ? sign : -1
  if (exponent >= 113 && exponent <= 142) {
    return fraction & 0x1fff ? -1 : sign | ((exponent - 112) << 10) | (fraction >>> 13)
  }
  if (exponent < 103 || exponent > 112) return -1
  // A subnormal of float16: the implicit bit becomes explicit and moves right.
  const shift = 126 - exponent
  const significand = fraction | 0x800000
  return significand & ((1 << shift) - 1) ? -1 : sign | (significand >>> shift)
}

export function isFloat32(value: number): boolean {
  return Math.fround(value) === value
}

export function float16Of(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 0x1f
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (fraction + 1024) * 2 ** (exponent - 25)
  return bits & 0x8000 ? -magnitude : magnitude
}
