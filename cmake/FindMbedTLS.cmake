# Finds Mbed TLS by its headers and libraries alone, so that releases without package files of their
# own (2.28) and those with them are found the same way.
#
#   MbedTLS_FOUND, MbedTLS_VERSION
#   MbedTLS_INCLUDE_DIR, MbedTLS_LIBRARY, MbedTLS_x509_LIBRARY, MbedTLS_crypto_LIBRARY   cached
#   MbedTLS::mbedtls   TLS, X.509 and cryptography together

find_path(MbedTLS_INCLUDE_DIR mbedtls/ssl.h)
find_library(MbedTLS_LIBRARY mbedtls)
find_library(MbedTLS_x509_LIBRARY mbedx509)
find_library(MbedTLS_crypto_LIBRARY NAMES mbedcrypto tfpsacrypto)
mark_as_advanced(
  MbedTLS_INCLUDE_DIR MbedTLS_LIBRARY MbedTLS_x509_LIBRARY MbedTLS_crypto_LIBRARY)

unset(MbedTLS_VERSION)
foreach(header IN ITEMS version.h build_info.h) # up to 2.28, later
  set(header "${MbedTLS_INCLUDE_DIR}/mbedtls/${header}")
  if(NOT MbedTLS_VERSION AND EXISTS "${header}")
    file(STRINGS "${header}" line REGEX "^#define MBEDTLS_VERSION_STRING +\"")
    string(REGEX MATCH "[0-9][0-9.]*" MbedTLS_VERSION "${line}")
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MbedTLS
  REQUIRED_VARS
    MbedTLS_LIBRARY MbedTLS_x509_LIBRARY MbedTLS_crypto_LIBRARY MbedTLS_INCLUDE_DIR
  VERSION_VAR MbedTLS_VERSION)

if(MbedTLS_FOUND AND NOT TARGET MbedTLS::mbedtls)
  add_library(MbedTLS::mbedtls UNKNOWN IMPORTED)
  set_target_properties(MbedTLS::mbedtls PROPERTIES
    IMPORTED_LOCATION "${MbedTLS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${MbedTLS_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${MbedTLS_x509_LIBRARY};${MbedTLS_crypto_LIBRARY}")
endif()
