// Stands in for hashing to the curve in the bundle: signatures need it, verification of proofs does not. Whatever
// would call it fails.

function absent() {
  throw new Error("hashing to the curve is not in this bundle");
}

export const isogenyMap = () => absent;
export const mapToCurveSimpleSWU = () => absent;
export const createHasher = (Point) => ({ Point, hashToCurve: absent, encodeToCurve: absent, mapToCurve: absent });
